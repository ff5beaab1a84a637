import { startCalendarScene } from '../local/calendar-scene.ts'
import type { AppPlace } from '../local/world.ts'

export const startScene = (place: AppPlace) => startCalendarScene(place, ['/auth/callback'])
